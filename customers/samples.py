# ruff: noqa: E501, RUF001 -- names in every script are wide, and some letters look like others
"""Names, places and numbers of many cultures, from which `customers.generate` makes up customers.

In a list of names ``東京=tokyo`` gives the Latin spelling that an e-mail address has. In a pattern
``#`` stands for any digit and ``N`` for one of 2 to 9. A name of several words is joined by ``_``.

Faker has the Latin spelling of a name for few languages, and makes one value at a time.
"""

from typing import NamedTuple


class Culture(NamedTuple):
    """The material of one country (ISO 3166-1 alpha-3) or of one language in it.

    `weight` is its share of customers. `cities` are ``name|subdivision|postcode pattern``; phone
    numbers are E.164 patterns; `street` has the places ``{name}`` and ``{number}``.
    """

    country: str
    weight: int
    women: str
    men: str
    surnames: str
    cities: str
    streets: str
    street: str
    phones: str
    companies: str


CULTURES = (
    Culture(
        country="USA",
        weight=30,
        women="Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy"
        " Sandra Ashley Emily Kimberly Margaret Donna Michelle Carol Amanda Melissa Deborah Rebecca"
        " Laura Sharon Cynthia Kathleen Amy Angela Shirley Brenda Nicole Samantha Katherine Heather"
        " Diane Virginia Olivia Emma Ava Harper Abigail Madison Grace Chloé Zoë Renée Imani Latoya",
        men="James Robert John Michael David William Richard Joseph Thomas Christopher Charles Daniel"
        " Matthew Anthony Mark Donald Steven Andrew Paul Joshua Kenneth Kevin Brian George Timothy"
        " Ronald Jason Edward Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry Justin"
        " Scott Brandon Benjamin Samuel Gregory Alexander Patrick Jack Tyler Aaron DeShawn André",
        surnames="Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Thomas Taylor Moore"
        " Jackson Martin Lee Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright"
        " Scott Hill Green Adams Nelson Baker Hall Campbell Mitchell Carter Roberts Phillips Evans"
        " Turner Parker Collins Edwards Stewart Morris Murphy Cook Rogers Morgan Peterson Cooper Reed"
        " Bailey Bell Kelly Howard Ward Cox Richardson Wood Watson Brooks Bennett Gray Hughes Price"
        " Myers Long Foster Sanders Ross Powell Sullivan Russell Jenkins Perry Butler Barnes Fisher"
        " O'Brien O'Connor McDonald McCarthy Washington-Reed Schwartz Hoffman Novak Kowalski Fitzgerald",
        cities="New York|NY|100##;Los Angeles|CA|900##;Chicago|IL|606##;Houston|TX|770##;"
        "Phoenix|AZ|850##;Philadelphia|PA|191##;San Antonio|TX|782##;San Diego|CA|921##;"
        "Dallas|TX|752##;Austin|TX|787##;Columbus|OH|432##;Seattle|WA|981##;Denver|CO|802##;"
        "Boston|MA|021##;Nashville|TN|372##;Portland|OR|972##;Las Vegas|NV|891##;Detroit|MI|482##;"
        "Memphis|TN|381##;Baltimore|MD|212##;Milwaukee|WI|532##;Albuquerque|NM|871##;Omaha|NE|681##;"
        "Miami|FL|331##;Tampa|FL|336##;Atlanta|GA|303##;Minneapolis|MN|554##;Honolulu|HI|968##",
        streets="Main St;Oak St;Maple Ave;Park Ave;Washington Blvd;2nd St;Cedar Ln;Elm St;Lake Dr;"
        "Hill Rd;Walnut St;Sunset Blvd;Lincoln Ave;Jefferson St;Church St;River Rd;Highland Ave",
        street="{number} {name}",
        phones="+1212N###### +1310N###### +1312N###### +1415N###### +1512N###### +1617N######"
        " +1713N###### +1206N###### +1303N###### +1305N###### +1404N###### +1602N######",
        companies="{} LLC;{} Inc.;{} & Sons;{} Holdings;{} Partners LP;{} Logistics Inc.;{} Farms",
    ),
    Culture(
        country="USA",
        weight=7,
        women="María Guadalupe Juana Sofía Isabella Valentina Camila Lucía Ximena Daniela Rosa"
        " Esperanza Marisol Yolanda Verónica",
        men="José Juan Luis Carlos Jesús Miguel Ángel Diego Santiago Mateo Javier Ramón Héctor Raúl"
        " Joaquín",
        surnames="García Rodríguez Martínez Hernández López González Pérez Sánchez Ramírez Torres"
        " Flores Rivera Gómez Díaz Cruz Reyes Morales Gutiérrez Ortiz Chávez Ramos Ruiz Mendoza"
        " Álvarez Castillo Jiménez Vásquez Romero Núñez Peña",
        cities="El Paso|TX|799##;San Antonio|TX|782##;Los Angeles|CA|900##;Santa Ana|CA|927##;"
        "Miami|FL|331##;Tucson|AZ|857##;Laredo|TX|780##;San José|CA|951##;Fresno|CA|937##",
        streets="Alameda Ave;Mission St;San Pedro Ave;Guadalupe St;Del Rio Dr;Calle Real;Mesa St",
        street="{number} {name}",
        phones="+1915N###### +1210N###### +1786N###### +1520N###### +1714N######",
        companies="{} Bros. LLC;Taquería {};{} Construction Inc.;{} Auto Repair",
    ),
    Culture(
        country="CAN",
        weight=5,
        women="Élise Geneviève Noémie Maude Océane Emma Charlotte Hannah Claire Meagan Brooke",
        men="Étienne François Jérôme Loïc Liam Noah Ethan Gordon Wayne Logan Connor Xavier",
        surnames="Tremblay Gagnon Bouchard Côté Fortin Bélanger Lévesque Pelletier MacDonald Fraser"
        " Campbell Singh Chan Wong Gauthier Ouellet Thériault Leblanc Stewart Reid",
        cities="Toronto|ON|M5V 2T6;Montréal|QC|H2X 1Y4;Vancouver|BC|V6B 3K9;Calgary|AB|T2P 1J9;"
        "Ottawa|ON|K1P 5M7;Québec|QC|G1R 4P5;Winnipeg|MB|R3C 0V8;Halifax|NS|B3J 2K9;Regina|SK|S4P 3Y2",
        streets="King St W;rue Sainte-Catherine;Granville St;boul. René-Lévesque;Queen St E;Portage Ave",
        street="{number} {name}",
        phones="+1416N###### +1514N###### +1604N###### +1403N###### +1613N######",
        companies="{} Ltée;{} Inc.;{} Lumber Ltd.;{} & Associés",
    ),
    Culture(
        country="GBR",
        weight=9,
        women="Olivia Amelia Isla Freya Poppy Florence Rosie Siân Niamh Aisha Harriet Imogen Zara"
        " Beatrice Phoebe",
        men="Oliver Harry Alfie Archie Theo Rhys Callum Hamish Muhammad Nigel Alistair Rupert Dylan"
        " Finlay Owen",
        surnames="Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Wright Evans Walker"
        " Thompson Roberts Khan Lewis Clarke Begum Ahmed Ali Hughes Llewellyn Penhaligon MacLeod"
        " Ashworth Featherstonehaugh Brontë O'Neill Abernathy-Jones Whittaker",
        cities="London|LND|SW1A #AA;Manchester|MAN|M# #WD;Birmingham|BIR|B# #JP;Leeds|LDS|LS# #HN;"
        "Glasgow|GLG|G# #QT;Edinburgh|EDH|EH# #YL;Cardiff|CRF|CF1# #BH;Liverpool|LIV|L# #PZ;"
        "Bristol|BST|BS# #TR;Belfast|BFS|BT# #GS;Sheffield|SHF|S# #FB;Newport|NWP|NP2# #UH",
        streets="High Street;Station Road;Church Lane;Victoria Road;Green Lane;Mill Road;The Crescent",
        street="{number} {name}",
        phones="+4477######## +4478######## +4479######## +44207####### +44161N######",
        companies="{} Ltd;{} plc;{} & Co;The {} Bakery;{} Motors Ltd",
    ),
    Culture(
        country="IRL",
        weight=1,
        women="Aoife Saoirse Ciara Róisín Sinéad Caoimhe Gráinne",
        men="Seán Conor Cian Oisín Pádraig Darragh Fionn",
        surnames="Murphy Kelly O'Sullivan Walsh O'Brien Byrne Ryan Ó_Súilleabháin Nic_Gearailt Doyle",
        cities="Dublin|D|D0# X#Y#;Cork|CO|T12 X#Y#;Galway|G|H91 X#Y#;Limerick|LK|V94 X#Y#",
        streets="O'Connell Street;Grafton Street;Patrick Street;Eyre Square",
        street="{number} {name}",
        phones="+35385####### +35386####### +35387#######",
        companies="{} Ltd;{} & Daughters;{} Teoranta",
    ),
    Culture(
        country="DEU",
        weight=8,
        women="Anna Lena Hannah Sophie Marie Ursula Sabine Käthe Jutta Bärbel Heike Grit Frauke"
        " Gülşen Mechthild",
        men="Jürgen Jörg Björn Günther Tarkan Lukas Finn Maximilian Wolfgang Uwe Sönke Felix Götz"
        " Karl-Heinz Hans-Peter",
        surnames="Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer"
        " Koch Bauer Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann"
        " Weiß Groß Strauß Köhler Öztürk Yılmaz Jäger Größl Böttcher von_Bülow",
        cities="Berlin|BE|101##;Hamburg|HH|204##;München|BY|803##;Köln|NW|506##;"
        "Frankfurt am Main|HE|603##;Stuttgart|BW|701##;Düsseldorf|NW|402##;Leipzig|SN|041##;"
        "Dresden|SN|010##;Nürnberg|BY|904##;Lübeck|SH|235##;Saarbrücken|SL|661##;Görlitz|SN|028##",
        streets="Hauptstraße;Bahnhofstraße;Gartenweg;Schillerstraße;Am Markt;Goethestraße;Lindenallee",
        street="{name} {number}",
        phones="+49151######## +49160####### +4930######## +4989######## +4940########",
        companies="{} GmbH;{} & Söhne KG;{} AG;Bäckerei {};{} Maschinenbau GmbH",
    ),
    Culture(
        country="FRA",
        weight=7,
        women="Camille Chloé Léa Manon Zoé Agnès Hélène Françoise Aurélie Noëlle Anaïs Maëlys Inès",
        men="Gabriel Raphaël Léo Louis Théo Jérémie François Loïc Benoît Rémi Gaël Jean-Luc Cédric",
        surnames="Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Lefèvre Garcia"
        " Roux Fournier Girard Bonnet Dupont Lambert Rousseau Muller Lefebvre Mercier Blanc Guérin"
        " Boyer Chevalier François Legrand Gauthier Perrin L'Hermite d'Aubigné",
        cities="Paris|75C|750##;Marseille|13|130##;Lyon|69|690##;Toulouse|31|310##;Nice|06|060##;"
        "Nantes|44|440##;Strasbourg|67|670##;Montpellier|34|340##;Bordeaux|33|330##;Lille|59|590##;"
        "Orléans|45|450##;Besançon|25|250##;Saint-Étienne|42|420##",
        streets="rue de la République;avenue Victor-Hugo;rue du Général-de-Gaulle;place de l'Église;"
        "rue des Érables;quai des Célestins",
        street="{number} {name}",
        phones="+336######## +337######## +331######## +334########",
        companies="{} SARL;{} SA;Pâtisserie {};{} et Fils;Les Ateliers {}",
    ),
    Culture(
        country="ESP",
        weight=4,
        women="Lucía Sofía Martina María Paula Begoña Inés Nuria Montserrat Iratxe Concepción Ainhoa",
        men="Hugo Mateo Martín Leo Álvaro Íñigo Joaquín Andrés Óscar Xoán Jordi Ramón",
        surnames="García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Muñoz Ibáñez"
        " Etxeberria Puigdomènech Núñez Castaño Ortuño Yáñez Zubizarreta Vázquez",
        cities="Madrid|MD|280##;Barcelona|CT|080##;Valencia|VC|460##;Sevilla|AN|410##;"
        "Zaragoza|AR|500##;Málaga|AN|290##;A Coruña|GA|150##;Bilbao|PV|480##;León|CL|240##",
        streets="Calle Mayor;Gran Vía;Avenida de la Constitución;Calle del Sol;Paseo de Gracia",
        street="{name}, {number}",
        phones="+346######## +3491####### +3493#######",
        companies="{} S.L.;{} S.A.;Bodegas {};Hermanos {}",
    ),
    Culture(
        country="MEX",
        weight=4,
        women="Guadalupe Ximena Fernanda Regina Citlali Itzel Xóchitl Yaretzi Jimena",
        men="Santiago Emiliano Cuauhtémoc Iker Leonardo Ángel Eusebio Tonatiuh Gael",
        surnames="Hernández García Martínez López González Ramírez Zúñiga Ávila Ordóñez Cárdenas Peña"
        " Xicohténcatl Villaseñor Núñez",
        cities="Ciudad de México|CMX|06###;Guadalajara|JAL|441##;Monterrey|NLE|640##;Puebla|PUE|720##;"
        "Mérida|YUC|970##;Cancún|ROO|775##;Querétaro|QUE|760##;León|GUA|370##",
        streets="Av. Insurgentes;Calle Hidalgo;Calz. de Tlalpan;Av. Juárez;Paseo de la Reforma",
        street="{name} {number}",
        phones="+5255######## +5233######## +5281########",
        companies="{} S.A. de C.V.;Abarrotes {};Grupo {}",
    ),
    Culture(
        country="BRA",
        weight=7,
        women="Maria Ana Júlia Beatriz Letícia Conceição Antônia Fátima Tatiana Lívia Ágatha Thaís",
        men="João José Antônio Luís Márcio Vinícius Caetano Heitor Otávio Ícaro Tomás Estêvão",
        surnames="Silva Santos Oliveira Souza Rodrigues Ferreira Alves Pereira Lima Gomes Araújo"
        " Gonçalves Conceição Magalhães Guimarães Brandão Simões Antunes Assunção Leitão",
        cities="São Paulo|SP|010##-000;Rio de Janeiro|RJ|200##-000;Brasília|DF|700##-000;"
        "Salvador|BA|400##-000;Fortaleza|CE|600##-000;Belém|PA|660##-000;Goiânia|GO|740##-000;"
        "Curitiba|PR|800##-000;Florianópolis|SC|880##-000;Maceió|AL|570##-000",
        streets="Rua das Flores;Avenida Paulista;Rua São José;Travessa da Paz;Rua Sete de Setembro",
        street="{name}, {number}",
        phones="+55119######## +55219######## +55619######## +55719########",
        companies="{} Ltda.;{} S.A.;Padaria {};Irmãos {}",
    ),
    Culture(
        country="PRT",
        weight=1,
        women="Inês Leonor Matilde Conceição Graça Luísa Mafalda",
        men="João Duarte Simão Tomé Gonçalo Vítor Afonso",
        surnames="Silva Santos Ferreira Conceição Sebastião Magalhães Falcão Leão Galvão Brás",
        cities="Lisboa|11|1###-001;Porto|13|4###-001;Coimbra|06|3###-001;Évora|07|7###-001",
        streets="Rua Augusta;Avenida da Liberdade;Largo da Sé;Rua do Carmo",
        street="{name}, {number}",
        phones="+35191####### +35196####### +35121#######",
        companies="{} Lda.;{} S.A.;Conservas {}",
    ),
    Culture(
        country="ITA",
        weight=5,
        women="Sofia Giulia Aurora Chiara Anna-Maria Francesca Beatrice Noemi Caterina",
        men="Leonardo Francesco Niccolò Matteo Lorenzo Gabriele Cosimo Calogero Davide",
        surnames="Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci D'Angelo De_Luca Lombardi"
        " Dell'Acqua Fabbri Cattaneo Giuffrè Pavarotti",
        cities="Roma|RM|001##;Milano|MI|201##;Napoli|NA|801##;Torino|TO|101##;Palermo|PA|901##;"
        "Genova|GE|161##;Firenze|FI|501##;Forlì|FC|471##;Bolzano|BZ|391##",
        streets="Via Roma;Corso Garibaldi;Via XX Settembre;Piazza della Libertà;Vicolo Stretto",
        street="{name}, {number}",
        phones="+39333####### +39347####### +3906######## +3902########",
        companies="{} S.r.l.;{} S.p.A.;Fratelli {};Caffè {}",
    ),
    Culture(
        country="POL",
        weight=4,
        women="Zofia Łucja Małgorzata Agnieszka Grażyna Bożena Żaneta Jadwiga Elżbieta",
        men="Łukasz Paweł Michał Stanisław Krzysztof Wojciech Mieczysław Błażej Józef",
        surnames="Nowak Kowalski Wiśniewski Wójcik Kamiński Lewandowski Zieliński Szymański Woźniak"
        " Dąbrowski Kozłowski Jabłoński Gałązka Żółć Brzęczyszczykiewicz",
        cities="Warszawa|14|00-###;Kraków|12|30-###;Łódź|10|90-###;Wrocław|02|50-###;Poznań|30|60-###;"
        "Gdańsk|22|80-###;Białystok|20|15-###;Rzeszów|18|35-###",
        streets="ul. Długa;ul. Świętokrzyska;al. Jerozolimskie;ul. Kościuszki;ul. Źródlana",
        street="{name} {number}",
        phones="+48501###### +48602###### +48511###### +4822#######",
        companies="{} Sp. z o.o.;{} S.A.;Piekarnia {}",
    ),
    Culture(
        country="CZE",
        weight=2,
        women="Tereza Eliška Adéla Zdeňka Růžena Božena Jiřina",
        men="Jiří Ondřej Tomáš Lukáš Zdeněk Květoslav Řehoř",
        surnames="Novák Svoboda Dvořák Černý Procházka Kučera Veselý Horák Němec Pokorný Růžička Šťastný",
        cities="Praha|10|1## 00;Brno|64|6## 00;Ostrava|80|7## 00;Plzeň|32|3## 00",
        streets="Dlouhá;Náměstí Míru;Vinohradská;Křížová",
        street="{name} {number}",
        phones="+420601###### +420723###### +420777######",
        companies="{} s.r.o.;{} a.s.;Pivovar {}",
    ),
    Culture(
        country="SWE",
        weight=3,
        women="Astrid Åsa Märta Sigrid Gunnel Linnéa Ebba Siv",
        men="Björn Åke Göran Håkan Sören Lars Örjan Emil",
        surnames="Andersson Johansson Karlsson Nilsson Eriksson Larsson Sjögren Lindström Åkerlund"
        " Öberg Söderqvist Bergström",
        cities="Stockholm|AB|11# ##;Göteborg|O|41# ##;Malmö|M|21# ##;Örebro|T|70# ##;Umeå|AC|90# ##;"
        "Jönköping|F|55# ##",
        streets="Storgatan;Drottninggatan;Kungsgatan;Södra vägen;Björkvägen",
        street="{name} {number}",
        phones="+4670####### +4673####### +4676#######",
        companies="{} AB;{} & Co AB;{} Snickeri AB",
    ),
    Culture(
        country="NOR",
        weight=1,
        women="Ingrid Åse Solveig Sølvi Ragnhild Bjørg",
        men="Øyvind Håkon Bjørn Sjur Kjetil Pål",
        surnames="Hansen Johansen Bjørnstad Øverland Nygård Sørensen Ødegård Ås",
        cities="Oslo|03|01##;Bergen|46|50##;Trondheim|50|70##;Tromsø|54|90##",
        streets="Storgata;Kirkegata;Øvre Slottsgate;Bjørnsons gate",
        street="{name} {number}",
        phones="+4791###### +4740######",
        companies="{} AS;{} Fiskeri AS",
    ),
    Culture(
        country="TUR",
        weight=3,
        women="Ayşe Fatma Zeynep Elif Çiğdem Gülşen İrem Şule Özlem",
        men="Mehmet Mustafa Ahmet İbrahim Çağlar Oğuz Ömer Işık Gökhan",
        surnames="Yılmaz Kaya Demir Şahin Çelik Yıldız Öztürk Aydın Özdemir Arslan Doğan Kılıç Güneş",
        cities="İstanbul|34|340##;Ankara|06|060##;İzmir|35|350##;Diyarbakır|21|210##;Muğla|48|480##",
        streets="Atatürk Caddesi;İstiklal Caddesi;Gül Sokak;Çınar Sokak",
        street="{name} No: {number}",
        phones="+90532####### +90505####### +90212#######",
        companies="{} A.Ş.;{} Ltd. Şti.",
    ),
    Culture(
        country="GRC",
        weight=2,
        women="Μαρία=maria Ελένη=eleni Αικατερίνη=katerina Βασιλική=vasiliki Σοφία=sofia",
        men="Γεώργιος=georgios Δημήτριος=dimitrios Ιωάννης=ioannis Νικόλαος=nikos Άγγελος=angelos",
        surnames="Παπαδόπουλος=papadopoulos Νικολαΐδης=nikolaidis Οικονόμου=oikonomou"
        " Παπαδάκης=papadakis Βλάχος=vlachos Κωνσταντινίδης=konstantinidis Μακρής=makris",
        cities="Αθήνα|I|10# ##;Θεσσαλονίκη|B|54# ##;Πάτρα|G|26# ##;Ηράκλειο|M|71# ##",
        streets="Ερμού;Πατησίων;Αγίου Δημητρίου;Λεωφόρος Συγγρού",
        street="{name} {number}",
        phones="+30694####### +30697####### +30210#######",
        companies="{} Α.Ε.;{} Ε.Π.Ε.",
    ),
    Culture(
        country="UKR",
        weight=2,
        women="Олена=olena Наталія=nataliia Ірина=iryna Оксана=oksana Юлія=yuliia Марія=mariia",
        men="Олександр=oleksandr Сергій=serhii Андрій=andrii Дмитро=dmytro Тарас=taras Ігор=ihor",
        surnames="Шевченко=shevchenko Коваленко=kovalenko Бондаренко=bondarenko Ткаченко=tkachenko"
        " Кравченко=kravchenko Мельник=melnyk Їжакевич=yizhakevych Лисенко=lysenko",
        cities="Київ|30|01###;Харків|63|61###;Одеса|51|65###;Львів|46|79###;Дніпро|12|49###",
        streets="вул. Хрещатик;вул. Шевченка;просп. Свободи;вул. Лесі Українки",
        street="{name}, {number}",
        phones="+38050####### +38067####### +38093#######",
        companies="ТОВ «{}»;ПП «{}»",
    ),
    Culture(
        country="JPN",
        weight=4,
        women="陽菜=hina 美咲=misaki さくら=sakura 花子=hanako 結衣=yui 恵子=keiko アヤ=aya",
        men="翔太=shota 大翔=hiroto 健一=kenichi 蓮=ren 太郎=taro 誠=makoto ケン=ken",
        surnames="佐藤=sato 鈴木=suzuki 高橋=takahashi 田中=tanaka 渡辺=watanabe 伊藤=ito 山本=yamamoto"
        " 中村=nakamura 小林=kobayashi 加藤=kato 齋藤=saito 髙田=takada",
        cities="東京|13|100-00##;大阪|27|530-00##;横浜|14|220-00##;名古屋|23|450-00##;札幌|01|060-00##;"
        "福岡|40|810-00##;京都|26|600-80##",
        streets="中央1丁目;本町2丁目;栄3丁目;梅田1丁目;桜ヶ丘4丁目",
        street="{name}{number}番地",
        phones="+8190######## +8180######## +813########",
        companies="株式会社{};有限会社{};{}商店",
    ),
    Culture(
        country="CHN",
        weight=3,
        women="芳=fang 秀英=xiuying 娜=na 丽=li 静=jing 欣怡=xinyi",
        men="伟=wei 强=qiang 磊=lei 军=jun 洋=yang 浩然=haoran",
        surnames="王=wang 李=li 张=zhang 刘=liu 陈=chen 杨=yang 黄=huang 赵=zhao 吴=wu 欧阳=ouyang",
        cities="北京|BJ|1000##;上海|SH|2000##;广州|GD|5100##;深圳|GD|5180##;成都|SC|6100##",
        streets="人民路;中山路;建设路;解放大道;南京路",
        street="{name}{number}号",
        phones="+86138######## +86139######## +86186########",
        companies="{}有限公司;{}科技有限公司",
    ),
    Culture(
        country="KOR",
        weight=3,
        women="서연=seoyeon 지우=jiwoo 민서=minseo 수빈=subin 영희=younghee",
        men="민준=minjun 서준=seojun 도윤=doyun 철수=cheolsu 현우=hyunwoo",
        surnames="김=kim 이=lee 박=park 최=choi 정=jung 강=kang 조=cho 윤=yoon 장=jang 남궁=namgung",
        cities="서울|11|04###;부산|26|48###;인천|28|21###;대구|27|41###;제주|49|63###",
        streets="세종대로;테헤란로;종로;중앙로;해운대로",
        street="{name} {number}",
        phones="+8210########",
        companies="주식회사 {};{} 상사",
    ),
    Culture(
        country="IND",
        weight=6,
        women="Priya Ananya Lakshmi Sunita Kavya Deepika आशा=asha सीता=sita Meenakshi Fatima",
        men="Rahul Arjun Vikram Suresh Rajesh अमित=amit संजय=sanjay Venkatesh Imran Harpreet",
        surnames="Sharma Patel Singh Kumar Reddy Gupta Iyer Nair Das Banerjee शर्मा=sharma वर्मा=varma"
        " Venkataraman Chaudhary Mukhopadhyay Fernandes",
        cities="Mumbai|MH|4000##;New Delhi|DL|1100##;Bengaluru|KA|5600##;Chennai|TN|6000##;"
        "Kolkata|WB|7000##;Hyderabad|TS|5000##;Ahmedabad|GJ|3800##;Jaipur|RJ|3020##",
        streets="Mahatma Gandhi Road;Nehru Marg;Station Road;Linking Road;Anna Salai",
        street="{number}, {name}",
        phones="+9198######## +9197######## +9188########",
        companies="{} Pvt. Ltd.;{} & Brothers;{} Textiles",
    ),
    Culture(
        country="ARE",
        weight=2,
        women="فاطمة=fatima مريم=mariam عائشة=aisha نورة=noura ليلى=layla",
        men="محمد=mohammed أحمد=ahmed خالد=khalid سلطان=sultan يوسف=yousef",
        surnames="المنصوري=almansoori الشامسي=alshamsi الكعبي=alkaabi حداد=haddad النعيمي=alnuaimi",
        cities="دبي|DU|00000;أبوظبي|AZ|00000;الشارقة|SH|00000",
        streets="شارع الشيخ زايد;شارع الاتحاد;شارع الكورنيش",
        street="{number} {name}",
        phones="+97150####### +97155#######",
        companies="شركة {};مؤسسة {} للتجارة",
    ),
    Culture(
        country="ISR",
        weight=1,
        women="נועה=noa תמר=tamar שרה=sarah יעל=yael",
        men="דוד=david יוסף=yosef אריאל=ariel משה=moshe",
        surnames="כהן=cohen לוי=levi מזרחי=mizrahi פרץ=peretz ביטון=biton",
        cities="תל אביב|TA|61#####;ירושלים|JM|91#####;חיפה|HA|31#####",
        streets="רחוב הרצל;שדרות רוטשילד;רחוב בן יהודה",
        street="{name} {number}",
        phones="+97250####### +97254#######",
        companies='{} בע"מ;אחים {}',
    ),
    Culture(
        country="VNM",
        weight=2,
        women="Hương=huong Ánh=anh Linh=linh Thảo=thao Phương=phuong Ngọc=ngoc",
        men="Đức=duc Minh=minh Hùng=hung Tuấn=tuan Quốc=quoc Dũng=dung",
        surnames="Nguyễn=nguyen Trần=tran Lê=le Phạm=pham Hoàng=hoang Đặng=dang Vũ=vu Đỗ=do",
        cities="Hà Nội|HN|1000##;TP. Hồ Chí Minh|SG|7000##;Đà Nẵng|DN|5500##;Cần Thơ|CT|9000##",
        streets="Đường Lê Lợi;Phố Huế;Đường Nguyễn Huệ;Đường Trần Phú",
        street="{number} {name}",
        phones="+8490####### +8491####### +8498#######",
        companies="Công ty TNHH {};Công ty CP {}",
    ),
)

# Middle names are the given names of the culture; these stand before and after.
PREFIXES = ("Dr.", "Prof.", "Rev.")
SUFFIXES = ("PhD", "MD", "MBA")
MAIL_DOMAINS = ("example.com", "example.net", "example.org", "mail.example", "post.example")
PROVIDERS = ("Northern Mobile", "Bluewave", "Unitel", "Orbit", "Telco One")
INDUSTRIES = ("Retail", "Hospitality", "Construction", "Agriculture", "Transport", "Healthcare")
SEGMENTS = ("Mass market", "Affluent", "Private", "Small business", "Corporate")
LEVELS = ("Bronze", "Silver", "Gold", "Platinum")
REFERRALS = ("Website", "Customer", "Partner", "Employee", "Reseller")
ATTRIBUTE_VALUES = ("A", "B", "C", "D")
ROLES = ("Partner", "Reseller", "Customer")
METADATA = {
    "segment": ("retail", "affluent", "student", "senior"),
    "source": ("web", "branch", "partner", "import"),
    "newsletter": ("yes", "no"),
    "rating": ("A", "B", "C", "D"),
    "loyaltyId": ("#########",),
}
